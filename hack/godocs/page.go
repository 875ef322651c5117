// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/format"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// module is the path of this repository's Go module.
const module = "github.com/ow-kai/ascend-operator"

// pkg is a package with its doc comments.
type pkg struct {
	*doc.Package
	files *token.FileSet
	// missing are exported names that say nothing of themselves.
	missing []string
}

// load reads the package in a folder, with its examples.
func load(files *token.FileSet, folder string) (*pkg, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("there is no Go in %s: %w", folder, err)
	}
	var parsed []*ast.File
	for _, name := range names {
		file, err := parser.ParseFile(files, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, file)
	}
	found, err := doc.NewFromFiles(files, parsed, path.Join(module, filepath.ToSlash(folder)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", folder, err)
	}
	return &pkg{Package: found, files: files}, nil
}

// page writes the package's part of the page.
func (p *pkg) page(to *strings.Builder) error {
	fmt.Fprintf(to, "\n## %s\n\n```go\nimport %q\n```\n\n", p.Name, p.ImportPath)
	p.text(to, p.ImportPath, p.Doc)
	p.examples(to, p.Examples)
	p.values(to, append(slices.Clone(p.Consts), p.Vars...))
	for _, function := range p.Funcs {
		p.function(to, "###", function)
	}
	for _, one := range p.Types {
		fmt.Fprintf(to, "### %s\n\n", one.Name)
		p.code(to, one.Decl)
		p.text(to, one.Name, one.Doc)
		p.examples(to, one.Examples)
		p.values(to, append(slices.Clone(one.Consts), one.Vars...))
		for _, function := range append(slices.Clone(one.Funcs), one.Methods...) {
			p.function(to, "####", function)
		}
	}
	if len(p.missing) > 0 {
		return fmt.Errorf("%s: without a doc comment: %s", p.ImportPath, strings.Join(p.missing, ", "))
	}
	return nil
}

func (p *pkg) function(to *strings.Builder, level string, function *doc.Func) {
	name := function.Name
	if function.Recv != "" {
		name = strings.TrimPrefix(function.Recv, "*") + "." + name
	}
	fmt.Fprintf(to, "%s %s\n\n", level, name)
	declaration := *function.Decl
	declaration.Body = nil
	p.code(to, &declaration)
	p.text(to, name, function.Doc)
	p.examples(to, function.Examples)
}

func (p *pkg) values(to *strings.Builder, values []*doc.Value) {
	for _, value := range values {
		p.code(to, value.Decl)
		if value.Doc != "" { // names in a block have comments of their own
			p.text(to, value.Names[0], value.Doc)
		}
	}
}

func (p *pkg) examples(to *strings.Builder, examples []*doc.Example) {
	for _, example := range examples {
		title := "Example"
		if example.Suffix != "" {
			title += " (" + example.Suffix + ")"
		}
		fmt.Fprintf(to, "%s:\n\n", title)
		if example.Doc != "" {
			p.text(to, "Example"+example.Name, example.Doc)
		}
		p.code(to, example.Code)
		if example.Output != "" {
			fmt.Fprintf(to, "It prints:\n\n```\n%s```\n\n", strings.TrimSuffix(example.Output, "\n")+"\n")
		}
	}
}

// text writes a doc comment as Markdown, its headings below those of the page.
func (p *pkg) text(to *strings.Builder, name, said string) {
	if strings.TrimSpace(said) == "" {
		p.missing = append(p.missing, name)
		return
	}
	printer := p.Printer()
	printer.HeadingLevel = 5
	printer.HeadingID = func(*comment.Heading) string { return "" }
	printer.DocLinkURL = linkURL
	to.Write(printer.Markdown(p.Parser().Parse(said)))
	to.WriteString("\n")
}

// linkURL is where a link of a doc comment goes: to a heading of the page, or to
// the site that has every package.
func linkURL(link *comment.DocLink) string {
	if link.ImportPath != "" {
		return link.DefaultURL("https://pkg.go.dev/")
	}
	return "#" + strings.ToLower(link.Recv+link.Name)
}

// code writes Go as gofmt does, without the doc comment that stands below it.
func (p *pkg) code(to *strings.Builder, node ast.Node) {
	switch declaration := node.(type) {
	case *ast.GenDecl:
		copied := *declaration
		copied.Doc = nil
		node = &copied
	case *ast.FuncDecl:
		copied := *declaration
		copied.Doc = nil
		node = &copied
	}
	var text bytes.Buffer
	if err := format.Node(&text, p.files, node); err != nil {
		panic(err) // it has just been parsed
	}
	code := text.String()
	if _, block := node.(*ast.BlockStmt); block { // of an example: without its braces
		code = strings.TrimSuffix(strings.TrimPrefix(code, "{"), "}")
		code = strings.ReplaceAll(code, "\n\t", "\n")
	}
	fmt.Fprintf(to, "```go\n%s\n```\n\n", strings.TrimSpace(code))
}
