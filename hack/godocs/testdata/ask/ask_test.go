// SPDX-License-Identifier: Apache-2.0

package ask_test

import "fmt"

// Ask once.
func ExampleQuestion_Ask() {
	for range 1 {
		fmt.Println("once")
	}
	// Output: once
}
