module weakly

go 1.21
