#pragma once

int helper();
