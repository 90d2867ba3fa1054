module goretain.test/zoo/userarena

go 1.21
