module goretain.test/zoo/letgo

go 1.21
