module goretain.test/zoo/sampled

go 1.21
