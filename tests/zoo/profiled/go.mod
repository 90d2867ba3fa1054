module goretain.test/zoo/profiled

go 1.21
