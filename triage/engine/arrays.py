"""The one kind of array that the engine reckons with."""

import numpy as np
import numpy.typing as npt

type Array = npt.NDArray[np.float64]
