module goretain.test/zoo/secrets

go 1.21
