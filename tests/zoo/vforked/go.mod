module vforked

go 1.21
