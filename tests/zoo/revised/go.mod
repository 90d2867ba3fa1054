module goretain.test/zoo/revised

go 1.21
