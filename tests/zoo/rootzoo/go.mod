module goretain.test/zoo/rootzoo

go 1.21
