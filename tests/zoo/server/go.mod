module goretain.test/zoo/server

go 1.21
