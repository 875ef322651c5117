// SPDX-License-Identifier: Apache-2.0

// Package ask asks.
//
// # Twice
//
// It never asks twice.
package ask

// Most is how often it asks.
const Most = 1

// Question is what is asked, of
// one line.
type Question struct {
	// Text of it.
	Text string

	hidden int
}

// New makes a [Question].
func New(text string) *Question { return &Question{Text: text, hidden: Most} }

// Ask asks it.
func (q *Question) Ask() int { return q.hidden }
