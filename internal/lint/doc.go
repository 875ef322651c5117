// SPDX-License-Identifier: Apache-2.0

// Package lint says what admission refuses of policy and warns of, and what
// shows only where all policy is looked at together. Admission asks it about
// one object before that is stored, the command line about files that nobody
// has applied yet; both get the same words.
//
// It is pure: objects and compiled policy in, findings out. What policy refers
// to is looked up through Lookup, and the time comes in as an argument. A
// finding is certain: where it cannot be sure, lint says nothing.
package lint
