module guarded

go 1.21
