package main

type tagged struct {
	A int `json:"a" gjson`
	B int `json:b`
}

func main() { println(tagged{}.A) }
