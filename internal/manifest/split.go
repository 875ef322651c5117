// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// chunk is the text of one document.
type chunk struct {
	text []byte
	line int // of its first line, from 1
}

// documents reads the documents of a file as kubectl does: JSON when it begins
// with a brace and is JSON, else YAML. more says how many there may be.
func documents(file string, text []byte, more int) ([]*Document, []Problem) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	isJSON := strings.HasSuffix(file, ".json")
	var wrong error
	if isJSON || bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) {
		found, offset, err := jsonDocuments(file, text)
		if err == nil {
			return limited(file, found, checkAll(found), more)
		}
		if isJSON {
			wrong = err
		}
		if wrong != nil && offset > 0 {
			return limited(file, found, append(checkAll(found), jsonProblem(file, text, offset, wrong)), more)
		}
	}
	var found []*Document
	var problems []Problem
	chunks, misplaced := split(file, text)
	for _, c := range chunks {
		document, wrong := parse(file, c.text, c.line)
		if problems = append(problems, wrong...); document != nil {
			found = append(found, document)
		}
		if len(found) > more {
			break
		}
	}
	if wrong != nil && len(problems) > 0 { // neither JSON nor YAML
		return nil, []Problem{jsonProblem(file, text, 0, wrong)}
	}
	return limited(file, found, append(misplaced, problems...), more)
}

func checkAll(found []*Document) []Problem {
	var problems []Problem
	for _, d := range found {
		problems = append(problems, d.check()...)
	}
	return problems
}

// limited cuts off what is too much, and says so.
func limited(file string, found []*Document, problems []Problem, more int) ([]*Document, []Problem) {
	if len(found) <= more {
		return found, problems
	}
	at := found[more].Position
	return found[:more], append(problems, Problem{Position: Position{File: file, Line: at.Line, Column: at.Column},
		Message: tooManyDocuments})
}

// split cuts YAML into its documents at the lines that begin with ---.
func split(file string, text []byte) ([]chunk, []Problem) {
	var chunks []chunk
	var problems []Problem
	current, ended := chunk{line: 1}, false
	start, number := 0, 0
	for start < len(text) {
		number++
		end := len(text)
		if at := bytes.IndexByte(text[start:], '\n'); at >= 0 {
			end = start + at + 1
		}
		line := text[start:end]
		rest, separates := bytes.CutPrefix(line, []byte("---"))
		rest = bytes.TrimSpace(rest)
		blank := len(bytes.TrimSpace(line)) == 0 || line[0] == '#'
		switch {
		case separates && len(rest) > 0 && rest[0] != '#':
			problems = append(problems, Problem{Position: Position{File: file, Line: number, Column: 1},
				Message: "kubectl reads no document that begins on the line of its ---; begin it on the next line"})
			fallthrough
		case separates:
			chunks = appendChunk(chunks, current)
			current, ended = chunk{line: number + 1}, false
		case bytes.Equal(bytes.TrimRight(line, " \t\r\n"), []byte("...")):
			ended = true
		case ended && !blank:
			problems = append(problems, Problem{Position: Position{File: file, Line: number, Column: 1},
				Message: "nothing is read between the end of a document (...) and the beginning of the next (---); begin it with ---"})
			ended = false
		}
		if !separates {
			current.text = text[start-len(current.text) : end]
		}
		start = end
	}
	return appendChunk(chunks, current), problems
}

// appendChunk leaves out what is blank or comment only.
func appendChunk(chunks []chunk, c chunk) []chunk {
	for line := range bytes.Lines(c.text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return append(chunks, c)
		}
	}
	return chunks
}

var errTooLarge = errors.New("it is larger than 16 MiB, which is the limit; split it")

const tooManyDocuments = "this and what follows is not read: 20000 documents are the limit; name fewer files at once"

// readAll reads a file up to the limit.
func readAll(from io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(from, maxFileSize+1))
	if err == nil && len(text) > maxFileSize {
		return nil, errTooLarge
	}
	return text, err
}
