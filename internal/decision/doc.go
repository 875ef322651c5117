// SPDX-License-Identifier: Apache-2.0

// Package decision decides about an action. Decide is a pure function from an
// immutable snapshot of policy, a request and a time to an outcome: the same
// three give the same outcome, byte for byte.
//
// The order is that of the design: may the agent act at all; how dangerous is
// it; what do the rules say; is the score within the agent's limit; who has to
// agree, and have they.
package decision
