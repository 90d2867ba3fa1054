module synced

go 1.21
