// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
)

// exitCode is one of the codes that the program ends with.
type exitCode struct {
	name    string // of the constant, such as ExitDenied
	value   int
	meaning string // its comment, without the name
}

// readExitCodes reads the constants Exit… of a Go file. Each needs a value and a
// comment that begins with "NAME: ".
func readExitCodes(path string) ([]exitCode, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	var codes []exitCode
	for _, declaration := range file.Decls {
		constants, is := declaration.(*ast.GenDecl)
		if !is || constants.Tok != token.CONST {
			continue
		}
		for _, spec := range constants.Specs {
			code, found, err := exitCodeOf(spec)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			if found {
				codes = append(codes, code)
			}
		}
	}
	if len(codes) == 0 {
		return nil, fmt.Errorf("%s has no constants Exit…", path)
	}
	return codes, nil
}

// exitCodeOf reads one constant; others than numbers are passed over.
func exitCodeOf(spec ast.Spec) (code exitCode, found bool, err error) {
	constant, is := spec.(*ast.ValueSpec)
	if !is || len(constant.Names) != 1 || len(constant.Values) != 1 || !strings.HasPrefix(constant.Names[0].Name, "Exit") {
		return exitCode{}, false, nil
	}
	literal, is := constant.Values[0].(*ast.BasicLit)
	if !is || literal.Kind != token.INT {
		return exitCode{}, false, nil
	}
	code.name = constant.Names[0].Name
	if code.value, err = strconv.Atoi(literal.Value); err != nil {
		return exitCode{}, false, fmt.Errorf("%s: %w", code.name, err)
	}
	meaning, begins := strings.CutPrefix(strings.Join(strings.Fields(constant.Doc.Text()), " "), code.name+": ")
	if !begins {
		return exitCode{}, false, fmt.Errorf("the comment of %s has to begin with %q: it is printed in the documentation", code.name, code.name+": ")
	}
	code.meaning = meaning
	return code, true, nil
}
