module lost

go 1.21
