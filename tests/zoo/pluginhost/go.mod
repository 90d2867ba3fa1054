module goretain.test/zoo/pluginhost

go 1.21
