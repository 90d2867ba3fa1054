//go:build quicktype

package main

import "decode/quick"

func init() {
	ways = append(ways, way{"quicktype", into[quick.Order]})
}
