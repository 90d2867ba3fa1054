module experiment

go 1.21
