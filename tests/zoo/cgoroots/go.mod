module goretain.test/zoo/cgoroots

go 1.21
