module goretain.test/zoo/clibrary

go 1.21
