# SPDX-License-Identifier: Apache-2.0
"""Governed tools for the frameworks that let models call functions.

`ascend.adapters.langchain` (LangChain and LangGraph), `ascend.adapters.mcp`
(servers of the Model Context Protocol) and `ascend.adapters.openai` (function
calling of the OpenAI API). Each needs the extra of its name, such as
`pip install ascend-sdk[langchain]`.

In all of them a model chooses a tool and writes its arguments, and nothing
else: what type of action a tool is, and what it acts on, the developer says.
All that the model writes is part of what is approved.
"""

from ascend.adapters._tool import Governing

__all__ = ["Governing"]
