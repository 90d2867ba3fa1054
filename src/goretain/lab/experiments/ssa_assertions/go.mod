module lab

go 1.21

require golang.org/x/tools v0.24.0
