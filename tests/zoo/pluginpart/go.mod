module goretain.test/zoo/pluginpart

go 1.21
