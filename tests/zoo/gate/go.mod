module gatelab

go 1.21
