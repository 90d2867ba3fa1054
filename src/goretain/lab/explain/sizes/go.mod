module goretain.local/sizes

go 1.21
