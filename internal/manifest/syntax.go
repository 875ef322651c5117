// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	sigsyaml "sigs.k8s.io/yaml"
)

const (
	// maxLocateTries and maxLocateBytes bound what is spent on the position of
	// a mistake: how often the text is read again, and how much in all.
	maxLocateTries = 1000
	maxLocateBytes = 1 << 20
)

// yamlPreface is what comes before the words of an error of the YAML library.
var yamlPreface = regexp.MustCompile(`^(error (converting|unmarshaling) (YAML to )?JSON: )?(yaml: )?(line \d+: )?`)

var yamlLine = regexp.MustCompile(`line (\d+):`)

// syntaxHints say what most likely happened, by the words of the library.
var syntaxHints = []struct{ words, hint string }{
	{"mapping values are not allowed", "check the indentation, or put text that has a colon in quotes"},
	{"found character that cannot start any token", "indent by spaces and not by tabs, and put text that begins with @, % or ` in quotes"},
	{"found a tab character", "indent by spaces"},
	{"did not find expected key", "check the indentation"},
	{"did not find expected '-' indicator", "check the indentation"},
	{"could not find expected ':'", "a key needs a colon and a space after it"},
	{"found unexpected end of stream", "a quote is opened here and never closed"},
	{"did not find expected ',' or", "a bracket or brace is not closed, or a comma is missing"},
	{"did not find expected node content", "a value or a closing bracket is missing"},
	{"unknown anchor", "define it with & before it is used, in the same document"},
	{"unknown escape character", "write \\\\ for one backslash, or use single quotes"},
	{"control characters are not allowed", "save the file as UTF-8 text"},
	{"excessive aliasing", "write out what the aliases stand for"},
}

// syntaxProblem says what is wrong in a text that is no YAML.
func syntaxProblem(file string, text []byte, line int, err error) Problem {
	words := yamlPreface.ReplaceAllString(firstLine(err.Error()), "")
	problem := Problem{Position: Position{File: file, Line: line, Column: 1}, Message: "it is no YAML: " + words}
	for _, h := range syntaxHints {
		if strings.Contains(words, h.words) {
			problem.Message += "; " + h.hint
			break
		}
	}
	if strings.Contains(words, "excessive aliasing") {
		return problem // reading it once was expensive enough
	}
	offset, found := locate(text, words)
	if !found {
		offset = lineNamed(text, err)
	}
	before := text[:offset]
	problem.Line += bytes.Count(before, []byte("\n"))
	problem.Column = utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return problem
}

// locate returns the offset of the character that makes the text fail with
// these words, for the library names the line only, and that not reliably. It
// is the last character without which the text before it fails otherwise. found
// is false where it would take too long to tell.
func locate(text []byte, words string) (offset int, found bool) {
	tries, size := maxLocateTries, maxLocateBytes
	fails := func(end int) bool {
		tries--
		if size -= end; tries < 0 || size < 0 {
			return false
		}
		_, err := sigsyaml.YAMLToJSON(text[:end])
		return err != nil && yamlPreface.ReplaceAllString(firstLine(err.Error()), "") == words
	}
	end := len(text)
	for end > 0 { // line by line, backwards
		start := bytes.LastIndexByte(text[:end-1], '\n') + 1
		if start > 0 && fails(start) {
			end = start
			continue
		}
		break
	}
	for end > 0 { // then by character
		_, width := utf8.DecodeLastRune(text[:end])
		if end == width || !fails(end-width) {
			return end - width, tries >= 0 && size >= 0
		}
		end -= width
	}
	return 0, true
}

// lineNamed is where the line begins that an error of the library names.
func lineNamed(text []byte, err error) int {
	line, offset := 0, 0
	if found := yamlLine.FindStringSubmatch(err.Error()); found != nil {
		line, _ = strconv.Atoi(found[1]) // digits, or 0
	}
	for ; line > 1; line-- {
		next := bytes.IndexByte(text[offset:], '\n')
		if next < 0 {
			break
		}
		offset += next + 1
	}
	return offset
}

// jsonProblem says what is wrong in a text that is no JSON.
func jsonProblem(file string, text []byte, start int, err error) Problem {
	offset := len(text)
	if syntax, located := errors.AsType[*json.SyntaxError](err); located {
		// The offset is that of the character behind the mistake.
		offset = min(len(text), max(start, int(syntax.Offset)-1))
	}
	before := text[:offset]
	return Problem{
		Position: Position{
			File: file, Line: bytes.Count(before, []byte("\n")) + 1,
			Column: utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1,
		},
		Message: "it is no JSON: " + err.Error(),
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
