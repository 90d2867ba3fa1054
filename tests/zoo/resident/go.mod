module goretain.test/zoo/resident

go 1.21
