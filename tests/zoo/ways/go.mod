module database/ways

go 1.21
