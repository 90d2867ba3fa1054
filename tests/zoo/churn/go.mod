module goretain.test/zoo/churn

go 1.21
