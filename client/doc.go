// SPDX-License-Identifier: Apache-2.0

// Package client lets an agent ask before it acts. It speaks straight to the
// Kubernetes API: an action is an AgentAction, and the operator writes the
// decision into its status.
//
//	c, err := client.New(client.Options{})
//	...
//	err = c.Govern(ctx, client.Action{
//		Type:       "database_write",
//		Resource:   "customers",
//		Parameters: map[string]any{"affected_rows": 1},
//	}, func(ctx context.Context) error { return update(ctx) })
//
// Govern submits, waits for people where they have to agree, and runs the
// function only when exactly this was approved and still holds; whatever goes
// wrong before, the function is not run. Submit, Wait and Status are its parts,
// for those who want to do something else meanwhile.
//
// Errors are of the types in this package, to be found by errors.As. Their text
// says what was wrong, where, and what to do next, and never holds a secret.
//
// Package clienttest has a server that follows the operator's rules, for tests.
package client
