module paced

go 1.21
