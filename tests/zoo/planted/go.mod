module goretain.test/zoo/planted

go 1.21
