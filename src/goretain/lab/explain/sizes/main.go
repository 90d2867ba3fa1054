// Command sizes says how large the values and structs at a place of a Go package are.
//
// It type-checks the package's files against the export data that go list has named, as the compiler does, and
// asks go/types for the compiler's sizes. The request comes as JSON on stdin, the answer goes to stdout.
package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"sort"
)

type request struct {
	Package string            // import path
	Files   []string          // absolute paths of all the package's files
	Exports map[string]string // import path -> file of export data
	Imports map[string]string // path in the source -> import path, where they differ (vendor)
	Arch    string            // GOARCH
	File    string            // the place
	Line    int               // 0: the whole file
}

type value struct {
	Line     int    `json:"line"`
	Text     string `json:"text"`
	Type     string `json:"type"`
	Size     *int64 `json:"size"`     // bytes; null: depends on a type parameter
	Pointers *bool  `json:"pointers"` // whether the collector looks into it
}

type field struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Offset  int64  `json:"offset"`
	Size    int64  `json:"size"`
	Padding int64  `json:"padding"` // bytes behind it that nothing uses
}

type layout struct {
	Name     string  `json:"name"`
	Line     int     `json:"line"` // of its declaration; 0: not in this file
	Size     int64   `json:"size"`
	Best     int64   `json:"best"` // with the fields in the order that pads least
	Pointers bool    `json:"pointers"`
	Fields   []field `json:"fields"`
}

type answer struct {
	Values  []value  `json:"values"`
	Structs []layout `json:"structs"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	var asked request
	if err := json.NewDecoder(in).Decode(&asked); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	place, err := check(asked)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(place.answer())
}

// place is the file and line that is asked about, in a package that was type-checked.
type place struct {
	fset  *token.FileSet
	file  *ast.File
	info  *types.Info
	sizes types.Sizes
	pkg   *types.Package
	line  int

	seen    map[string]bool
	structs []layout
}

func check(asked request) (*place, error) {
	fset := token.NewFileSet()
	var files []*ast.File
	var file *ast.File
	for _, name := range asked.Files {
		parsed, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, parsed)
		if name == asked.File {
			file = parsed
		}
	}
	if file == nil {
		return nil, fmt.Errorf("%s is not a file of %s", asked.File, asked.Package)
	}
	lookup := func(path string) (io.ReadCloser, error) {
		if mapped, ok := asked.Imports[path]; ok {
			path = mapped
		}
		name, ok := asked.Exports[path]
		if !ok {
			return nil, fmt.Errorf("no export data of %s", path)
		}
		return os.Open(name)
	}
	sizes := types.SizesFor("gc", asked.Arch)
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}}
	// What does not type-check was refused by the compiler before; what remains (cgo's names) stays unknown.
	config := types.Config{
		Importer:    importer.ForCompiler(fset, "gc", lookup),
		Sizes:       sizes,
		FakeImportC: true,
		Error:       func(error) {},
	}
	pkg, _ := config.Check(asked.Package, fset, files, info)
	return &place{fset: fset, file: file, info: info, sizes: sizes, pkg: pkg, line: asked.Line, seen: map[string]bool{}}, nil
}

func (p *place) answer() answer {
	found := answer{Values: []value{}, Structs: []layout{}}
	ast.Inspect(p.file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.TypeSpec:
			if p.line == 0 || p.lineOf(node.Pos()) <= p.line && p.line <= p.lineOf(node.End()) {
				p.declared(node)
			}
		case *ast.Ident:
			if object, ok := p.info.Defs[node].(*types.Var); ok && p.here(node) && node.Name != "_" {
				found.Values = append(found.Values, p.value(node, object.Type()))
			}
		case ast.Expr:
			if p.here(node) && p.literal(node) {
				found.Values = append(found.Values, p.value(node, p.info.TypeOf(node)))
			}
		}
		return true
	})
	found.Structs = append(found.Structs, p.structs...)
	return found
}

func (p *place) here(node ast.Node) bool {
	return p.line != 0 && p.lineOf(node.Pos()) == p.line
}

func (p *place) lineOf(pos token.Pos) int { return p.fset.Position(pos).Line }

// literal says whether an expression is the value itself that may lie on the heap: a slice's or map's literal
// makes something else besides.
func (p *place) literal(node ast.Expr) bool {
	if _, ok := node.(*ast.CompositeLit); !ok {
		return false
	}
	typ := p.info.TypeOf(node)
	if typ == nil {
		return false
	}
	switch typ.Underlying().(type) {
	case *types.Struct, *types.Array:
		return true
	}
	return false
}

func (p *place) value(node ast.Expr, typ types.Type) value {
	if typ == nil {
		typ = types.Typ[types.Invalid]
	}
	found := value{Line: p.lineOf(node.Pos()), Text: text(node), Type: p.name(typ)}
	if size, ok := p.sizeof(typ); ok {
		pointers := hasPointers(typ)
		found.Size, found.Pointers = &size, &pointers
	}
	p.structOf(typ)
	return found
}

// text is a name, or a literal in short.
func text(node ast.Expr) string {
	switch node := node.(type) {
	case *ast.Ident:
		return node.Name
	case *ast.CompositeLit:
		if node.Type != nil {
			return types.ExprString(node.Type) + "{...}"
		}
	}
	return "{...}"
}

// structOf notes the layout of the struct that a value is, points to or has as elements.
func (p *place) structOf(typ types.Type) {
	for depth := 0; depth < 4; depth++ {
		if structure, ok := typ.Underlying().(*types.Struct); ok {
			p.add(typ, structure)
			return
		}
		elem, ok := typ.Underlying().(interface{ Elem() types.Type })
		if !ok {
			return
		}
		typ = elem.Elem()
	}
}

func (p *place) declared(spec *ast.TypeSpec) {
	object := p.info.Defs[spec.Name]
	if object == nil {
		return
	}
	if structure, ok := object.Type().Underlying().(*types.Struct); ok {
		p.add(object.Type(), structure)
	}
}

// declaredAt is the line of this file that declares a named type, 0 for others.
func (p *place) declaredAt(typ types.Type) int {
	named, ok := typ.(interface{ Obj() *types.TypeName })
	if !ok || !named.Obj().Pos().IsValid() {
		return 0
	}
	at := p.fset.Position(named.Obj().Pos())
	if at.Filename != p.fset.Position(p.file.Pos()).Filename {
		return 0
	}
	return at.Line
}

func (p *place) add(typ types.Type, structure *types.Struct) {
	name := p.name(typ)
	size, ok := p.sizeof(structure)
	if p.seen[name] || !ok {
		return
	}
	p.seen[name] = true
	fields := make([]*types.Var, structure.NumFields())
	for i := range fields {
		fields[i] = structure.Field(i)
	}
	found := layout{Name: name, Line: p.declaredAt(typ), Size: size, Pointers: hasPointers(structure), Fields: []field{}}
	offsets := p.sizes.Offsetsof(fields)
	for i, f := range fields {
		end, own := size, p.sizes.Sizeof(f.Type())
		if i+1 < len(offsets) {
			end = offsets[i+1]
		}
		found.Fields = append(found.Fields, field{f.Name(), p.name(f.Type()), offsets[i], own, end - offsets[i] - own})
	}
	// Large alignments first leave no holes; what has no size must not be last, where it takes a byte.
	sort.SliceStable(fields, func(i, j int) bool {
		a, b := fields[i].Type(), fields[j].Type()
		if zero := p.sizes.Sizeof(a) == 0; zero != (p.sizes.Sizeof(b) == 0) {
			return zero
		}
		return p.sizes.Alignof(a) > p.sizes.Alignof(b)
	})
	found.Best = p.sizes.Sizeof(types.NewStruct(fields, nil))
	p.structs = append(p.structs, found)
}

func (p *place) name(typ types.Type) string {
	return types.TypeString(typ, types.RelativeTo(p.pkg))
}

// sizeof is false for types that depend on a type parameter: go/types panics there.
func (p *place) sizeof(typ types.Type) (size int64, known bool) {
	defer func() {
		if recover() != nil {
			known = false
		}
	}()
	if basic, ok := typ.(*types.Basic); ok && basic.Kind() == types.Invalid {
		return 0, false
	}
	return p.sizes.Sizeof(typ), true
}

func hasPointers(typ types.Type) bool {
	switch typ := typ.Underlying().(type) {
	case *types.Basic:
		return typ.Info()&types.IsString != 0 || typ.Kind() == types.UnsafePointer
	case *types.Array:
		return typ.Len() > 0 && hasPointers(typ.Elem())
	case *types.Struct:
		for i := 0; i < typ.NumFields(); i++ {
			if hasPointers(typ.Field(i).Type()) {
				return true
			}
		}
		return false
	}
	return true
}
