module goretain.test/zoo/tickers

go 1.21
