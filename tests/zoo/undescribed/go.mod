module goretain.test/zoo/undescribed

go 1.21
