module sending

go 1.21
