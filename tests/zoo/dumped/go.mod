module goretain.test/zoo/dumped

go 1.21
