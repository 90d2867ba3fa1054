// Which SSA instructions an assertion on the value of a map becomes.
package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"lab/measure"
)

const source = `package example

func asserted(m map[string]any) string { return m["k"].(string) }

func withOK(m map[string]any) string {
	s, _ := m["k"].(string)
	return s
}

func looked(m map[string]any) string {
	if v, ok := m["k"]; ok {
		return v.(string)
	}
	return ""
}
`

func main() {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "example.go", source, 0)
	if err != nil {
		panic(err)
	}
	info := &types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Defs:       map[*ast.Ident]types.Object{},
		Uses:       map[*ast.Ident]types.Object{},
		Implicits:  map[ast.Node]types.Object{},
		Scopes:     map[ast.Node]*types.Scope{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
		Instances:  map[*ast.Ident]types.Instance{},
	}
	checked, err := new(types.Config).Check("example", files, []*ast.File{file}, info)
	if err != nil {
		panic(err)
	}
	program := ssa.NewProgram(files, 0)
	built := program.CreatePackage(checked, []*ast.File{file}, info, true)
	built.Build()
	lookups, indexes := 0, 0
	for _, name := range []string{"asserted", "withOK", "looked"} {
		for _, block := range built.Func(name).Blocks {
			for _, instruction := range block.Instrs {
				switch instruction := instruction.(type) {
				case *ssa.TypeAssert:
					if name == "asserted" {
						measure.Print("asserted_with_ok", instruction.CommaOk)
					} else if name == "withOK" {
						measure.Print("with_ok_with_ok", instruction.CommaOk)
					}
				case *ssa.Lookup:
					lookups++
				case *ssa.Index, *ssa.IndexAddr:
					indexes++
				}
			}
		}
	}
	measure.Print("lookups", lookups)
	measure.Print("indexes", indexes)
}
