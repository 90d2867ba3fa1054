module example.com/codezoo

go 1.21
