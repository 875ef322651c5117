// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/ow-kai/ascend-operator/internal/canonical"
)

// requestText is a request as it is written and as it is hashed. It is made
// before a record has its place in the chain, where others would wait for it.
type requestText struct {
	plain, canonical []byte
}

func newRequestText(request *Request) (requestText, error) {
	if request == nil {
		return requestText{}, nil
	}
	plain, err := json.Marshal(request)
	if err != nil {
		return requestText{}, fmt.Errorf("write the request as JSON: %w", err)
	}
	canonicalText, err := canonical.JSON(json.RawMessage(plain))
	if err != nil {
		return requestText{}, fmt.Errorf("hash the request: %w", err)
	}
	return requestText{plain: plain, canonical: canonicalText}, nil
}

// frame is a record with a mark in the place of its request.
type frame struct {
	Record
	Request string `json:"request,omitempty"`
}

// marked is the mark with its name. It stands once in the JSON of a frame: no
// field within another one has that name, and in text quotation marks are escaped.
var marked = []byte(`"request":"+"`)

// hash is canonical.Digest of the record with that request.
func (t requestText) hash(record Record) (string, error) {
	if t.plain == nil {
		return canonical.Digest(record)
	}
	framed, err := canonical.JSON(frame{Record: record, Request: "+"})
	if err != nil {
		return "", err
	}
	before, after, _ := bytes.Cut(framed, marked)
	sum := sha256.New()
	for _, part := range [][]byte{before, []byte(`"request":`), t.canonical, after} {
		sum.Write(part)
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}

// line is the record with that request as a line of JSON.
func (t requestText) line(record Record) ([]byte, error) {
	if t.plain == nil {
		text, err := json.Marshal(record)
		return append(text, '\n'), err
	}
	framed, err := json.Marshal(frame{Record: record, Request: "+"})
	if err != nil {
		return nil, err
	}
	before, after, _ := bytes.Cut(framed, marked)
	return bytes.Join([][]byte{before, []byte(`"request":`), t.plain, after, {'\n'}}, nil), nil
}
