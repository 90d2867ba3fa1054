module goretain.test/zoo/healthy

go 1.21
