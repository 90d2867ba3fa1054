module goretain.test/zoo/exact

go 1.21
