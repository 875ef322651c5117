// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/ow-kai/ascend-operator/internal/canonical"
)

// entry is a record that waits for its place in the chain.
type entry interface {
	// line is the record at the place after head, as a line of JSON without the
	// end of the line, with its hash.
	line(head Head) (line []byte, hash string, err error)
}

// prepared is a record of which everything is done that can be done before it
// has its place in the chain, where others would wait for it: its JSON, but for
// sequence, request, previousHash and hash.
type prepared struct {
	// plain is the line before the sequence, and between that and the fields that
	// end it: request, previousHash and hash.
	plain [2][]byte
	// canonical is the RFC 8785 JSON before previousHash, between that and
	// request, between that and sequence, and after it.
	canonical [4][]byte
	request   requestText
}

// requestText is a request as it is written and as it is hashed.
type requestText struct {
	plain, canonical []byte
}

// frame is a record with marks in the place of what is not known yet.
type frame struct {
	Record
	Request      string `json:"request,omitempty"`
	PreviousHash string `json:"previousHash,omitempty"`
	Hash         string `json:"hash,omitempty"`
}

// The marks with their names. Each stands once in the JSON of a frame that has
// no Journal: no field within another one has such a name, and in text quotation
// marks are escaped.
var (
	sequenceMark = []byte(`"sequence":0`)
	requestMark  = []byte(`"request":"+"`)
	previousMark = []byte(`"previousHash":"+",`) // reason, which is never left out, comes after it
	endMark      = []byte(`,"previousHash":"+","hash":"+"}`)
)

// errMarks is a fault of this package.
var errMarks = errors.New("the JSON of the record does not have the marks in it")

// prepare takes a record that has no place yet. It fails where the record cannot
// be written as JSON, or hashed.
func prepare(record Record) (entry, error) {
	if record.Journal != nil {
		return journalEntry(func(Head) (Record, error) { return record, nil }), nil
	}
	request, err := newRequestText(record.Request)
	if err != nil {
		return nil, err
	}
	record.Sequence, record.Request = 0, nil
	framed := frame{Record: record, PreviousHash: "+"}
	if request.plain != nil {
		framed.Request = "+"
	}
	p := &prepared{request: request}
	if err := p.cutCanonical(framed); err != nil {
		return nil, fmt.Errorf("hash audit record: %w", err)
	}
	framed.Hash = "+"
	if err := p.cutPlain(framed); err != nil {
		return nil, fmt.Errorf("write audit record as JSON: %w", err)
	}
	return p, nil
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

func (p *prepared) cutCanonical(framed frame) error {
	text, err := canonical.JSON(framed)
	if err != nil {
		return err
	}
	var found [3]bool
	p.canonical[0], text, found[0] = bytes.Cut(text, previousMark)
	found[1] = true
	if framed.Request != "" {
		p.canonical[1], text, found[1] = bytes.Cut(text, requestMark)
	}
	p.canonical[2], p.canonical[3], found[2] = bytes.Cut(text, sequenceMark)
	if found != [3]bool{true, true, true} {
		return errMarks
	}
	return nil
}

func (p *prepared) cutPlain(framed frame) error {
	text, err := json.Marshal(framed)
	if err != nil {
		return err
	}
	before, after, found := bytes.Cut(text, sequenceMark)
	after, ends := bytes.CutSuffix(after, endMark)
	if framed.Request != "" && ends {
		after, ends = bytes.CutSuffix(after, append([]byte{','}, requestMark...))
	}
	if !found || !ends {
		return errMarks
	}
	p.plain = [2][]byte{before, after}
	return nil
}

// line implements entry. The hash is canonical.Digest of the record at its
// place, the line what json.Marshal makes of it, with request, previousHash and
// hash at its end.
func (p *prepared) line(head Head) (line []byte, hash string, err error) {
	const names = 128 // more than the names, quotation marks, sequence and hash take
	out := make([]byte, 0, max(
		len(p.canonical[0])+len(p.canonical[1])+len(p.canonical[2])+len(p.canonical[3])+len(p.request.canonical),
		len(p.plain[0])+len(p.plain[1])+len(p.request.plain)+canonical.DigestLength)+len(head.Hash)+names)
	sum := sha256.Sum256(p.appendCanonical(out, head))
	hash = "sha256:" + hex.EncodeToString(sum[:])

	out = append(out, p.plain[0]...)
	out = appendSequence(out, head.Sequence+1)
	out = append(out, p.plain[1]...)
	if p.request.plain != nil {
		out = append(append(out, `,"request":`...), p.request.plain...)
	}
	if head.Hash != "" {
		out = append(append(append(out, `,"previousHash":"`...), head.Hash...), '"')
	}
	out = append(append(out, `,"hash":"`...), hash...)
	return append(out, `"}`...), hash, nil
}

func (p *prepared) appendCanonical(out []byte, head Head) []byte {
	out = append(out, p.canonical[0]...)
	if head.Hash != "" {
		out = append(append(append(out, `"previousHash":"`...), head.Hash...), `",`...)
	}
	out = append(out, p.canonical[1]...)
	if p.request.canonical != nil {
		out = append(append(out, `"request":`...), p.request.canonical...)
	}
	out = append(out, p.canonical[2]...)
	return append(appendSequence(out, head.Sequence+1), p.canonical[3]...)
}

func appendSequence(out []byte, sequence uint64) []byte {
	return strconv.AppendUint(append(out, `"sequence":`...), sequence, 10)
}

// journalEntry makes a record of the trail itself when it is known what comes
// before it. There are few, so nothing is done ahead.
type journalEntry func(head Head) (Record, error)

func (e journalEntry) line(head Head) (line []byte, hash string, err error) {
	record, err := e(head)
	if err != nil {
		return nil, "", err
	}
	record.SchemaVersion, record.Chain, record.Time = SchemaVersion, head.Chain, record.Time.UTC()
	record.Sequence, record.PreviousHash, record.Hash = head.Sequence+1, head.Hash, ""
	if record.Hash, err = canonical.Digest(record); err != nil {
		return nil, "", fmt.Errorf("hash audit record: %w", err)
	}
	line, err = json.Marshal(record)
	return line, record.Hash, err
}
