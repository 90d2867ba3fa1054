module example.org/described

go 1.21
