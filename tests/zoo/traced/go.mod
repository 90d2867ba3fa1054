module goretain.test/zoo/traced

go 1.22
