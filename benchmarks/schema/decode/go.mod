module decode

go 1.21
