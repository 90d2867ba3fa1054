module loaded

go 1.21
